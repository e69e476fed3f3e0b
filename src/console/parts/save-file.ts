/** Gives a file to the browser, as a download. */
export function saveFile(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser holds the file by itself once the click is through.
  setTimeout(() => URL.revokeObjectURL(address), 0);
}
