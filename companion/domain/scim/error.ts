/** The keywords that RFC 7644 (3.12) knows for a 400 or 409. */
export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue'
  | 'invalidVers';

/** A SCIM request that is refused; answered in SCIM's own format (RFC 7644, 3.12). */
export class ScimError extends Error {
  readonly status: 400 | 403 | 404 | 409 | 412 | 501;
  readonly scimType: ScimType | undefined;
  constructor(status: ScimError['status'], detail: string, scimType?: ScimType) {
    super(detail);
    this.status = status;
    this.scimType = scimType;
  }
}

export const badValue = (detail: string): ScimError => new ScimError(400, detail, 'invalidValue');
