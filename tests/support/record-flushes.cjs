// Loaded into the service and its threads by NODE_OPTIONS=--require: writes what is flushed through a FileHandle to the file
// FLUSHES, a JSON line each: of a file its inode and size, of a folder its path and the names in it.
const { appendFileSync, fstatSync, readdirSync, readlinkSync } = require("node:fs");
const { open } = require("node:fs/promises");

void open(__filename).then(async (some) => {
  const FileHandle = Object.getPrototypeOf(some);
  const { sync } = FileHandle;
  // Looked at before: what comes while it is flushed may not be.
  FileHandle.sync = function () {
    const { ino, size, isFolder } = seen(this.fd);
    const folder = isFolder ? readlinkSync(`/proc/self/fd/${this.fd}`) : undefined;
    const names = isFolder ? readdirSync(folder) : undefined;
    return sync.call(this).then(() => {
      appendFileSync(process.env.FLUSHES, `${JSON.stringify({ ino, size, folder, names })}\n`);
    });
  };
  await some.close();
});

function seen(fd) {
  const info = fstatSync(fd);
  return { ino: info.ino, size: info.size, isFolder: info.isDirectory() };
}
