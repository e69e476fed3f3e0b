import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate and its key, as files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority of a test's own. */
export interface Authority extends Certificate {
  /** @param names as subjectAltName wants them, e.g. `DNS:localhost` */
  issue(name: string, names?: string): Certificate;
}

const openssl = (...parameters: string[]): void => void execFileSync("openssl", parameters, { stdio: "pipe" });
const keyOptions = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Makes an authority whose files are in `folder`. */
export function makeAuthority(folder: string, name: string): Authority {
  const path = (end: string): string => join(folder, `${name}${end}`);
  const [cert, key] = [path(".crt"), path(".key")];
  openssl("req", "-x509", ...keyOptions, "-keyout", key, "-out", cert, "-days", "2", "-subj", `/CN=${name}`);
  return {
    cert,
    key,
    issue(subject, names) {
      const issued = { cert: path(`-${subject}.crt`), key: path(`-${subject}.key`) };
      const request = path(`-${subject}.csr`);
      openssl("req", "-new", ...keyOptions, "-keyout", issued.key, "-out", request, "-subj", `/CN=${subject}`);
      const extensions = path(`-${subject}.ext`);
      writeFileSync(extensions, names === undefined ? "" : `subjectAltName=${names}\n`);
      const signing = ["-CA", cert, "-CAkey", key, "-CAcreateserial", "-extfile", extensions];
      openssl("x509", "-req", "-in", request, ...signing, "-out", issued.cert, "-days", "2");
      return issued;
    },
  };
}

/** Copies of a certificate where a server wants them; the key for its owner's eyes only. */
export function place({ cert, key }: Certificate, certPath: string, keyPath: string): void {
  writeFileSync(certPath, readFileSync(cert));
  writeFileSync(keyPath, readFileSync(key), { mode: 0o600 });
}
