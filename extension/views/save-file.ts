/** Hands text to the person as a file, by the browser's own download. Nothing leaves this computer. */
export function saveFile(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download has read it by then; what stays would be kept as long as the page lives.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
