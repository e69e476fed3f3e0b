"""Runs a command in a terminal of its own and presses Ctrl-C, or sends SIGTERM to its process group, once the command has
said a word. Prints what the command printed; ends with its exit code, or 128 and the signal.

usage: terminal.py ctrl-c|term WORD COMMAND [ARGUMENT…]
"""

import os
import pty
import signal
import sys

how, word, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
output = b""
has_said = False
while True:
    try:
        chunk = os.read(terminal, 65536)
    except OSError:  # The last one has closed the terminal.
        break
    if not chunk:
        break
    output += chunk
    os.write(1, chunk)
    if not has_said and word.encode() in output:
        has_said = True
        if how == "ctrl-c":
            os.write(terminal, b"\x03")
        else:
            os.killpg(pid, signal.SIGTERM)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) % 256 if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
