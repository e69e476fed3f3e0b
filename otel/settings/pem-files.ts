import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

/** A value, and where people set it. */
export interface Given {
  readonly value: string;
  readonly setBy: string;
}

/** The paths of what a connection by TLS wants to know and to show. */
interface PemPaths {
  readonly authority: Given | undefined;
  /** Our own, with its key. */
  readonly certificate: Given | undefined;
  readonly key: Given | undefined;
  /** The two settings that a certificate of ours needs, by their names. */
  readonly pair: string;
}

/**
 * What stands in a file instead of its path: PEM, or base64 or hex of either form, in one line or more. It must not be shown.
 * A path of such letters alone, and that long, is not shown either where nothing can be read at it.
 */
const isContent = (value: string): boolean =>
  /-----BEGIN/.test(value) || /^[A-Za-z0-9+=_\s"'\\-][A-Za-z0-9+/=_\s"'\\-]{39,}$/.test(value);

/** Whatever of it is set, read and looked at; faults name setting and path. */
export function readPemFiles(
  { authority, certificate, key, pair }: PemPaths,
  faults: string[],
): { ca?: string; cert?: string; key?: string } {
  /** The file's text, once `parse` has found it to be what it should. */
  const textOf = (file: Given | undefined, what: string, parse: (text: string) => unknown): string | undefined => {
    if (file === undefined) return undefined;
    let text: string;
    try {
      text = readFileSync(file.value, "utf8");
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
      faults.push(
        isContent(file.value)
          ? `${file.setBy} must be the path of a file, and not what stands in it`
          : `${file.setBy} names a file that can't be read (${code}): ${file.value}`,
      );
      return undefined;
    }
    try {
      parse(text);
      return text;
    } catch {
      faults.push(`${file.setBy} names a file that holds no ${what} in PEM form: ${file.value}`);
      return undefined;
    }
  };

  if ((certificate === undefined) !== (key === undefined))
    faults.push(`${(certificate ?? key)?.setBy} is set alone: a client certificate needs ${pair}`);
  const parseCertificate = (text: string) => new X509Certificate(text);
  const caText = textOf(authority, "certificate", parseCertificate);
  const certText = textOf(certificate, "certificate", parseCertificate);
  const keyText = textOf(key, "private key without a passphrase", createPrivateKey);
  if (certText && keyText && !parseCertificate(certText).checkPrivateKey(createPrivateKey(keyText)))
    faults.push(`${key?.setBy} is not the key of the certificate that ${certificate?.setBy} names`);
  return { ...(caText && { ca: caText }), ...(certText && { cert: certText }), ...(keyText && { key: keyText }) };
}
