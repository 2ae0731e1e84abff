export async function connectBrowser(
  _url: string,
  _email: string,
  _password: string,
): Promise<{ close(): Promise<void> } | undefined> {
  return undefined;
}
