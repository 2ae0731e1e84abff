/**
 * What a spreadsheet would take for the start of a formula: `=`, `+`, `-`, `@`, their full-width forms, tab, carriage return
 * and line feed (OWASP, CSV Injection).
 */
const FORMULA = /^[=+\-@＝＋－＠\t\r\n]/;

function cell(value: string | number | null): string {
  if (typeof value === 'number') return String(value);
  const text = value ?? '';
  // Every text is quoted, so that no separator inside it can begin another cell.
  return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
}

/** A line of CSV (RFC 4180) that is safe to open in a spreadsheet: a text that looks like a formula gets a leading `'`. */
export function csvLine(values: readonly (string | number | null)[]): string {
  return `${values.map(cell).join(',')}\r\n`;
}
