// Characters that leave no mark (soft hyphen, joiners, variation selectors): two names must not differ in them alone.
const UNSEEN = /\p{Default_Ignorable_Code_Point}/gu;

/**
 * A text as it is compared and searched: compatibility forms (NFKC) and case folded, unseen characters left out. Upper case on the
 * way down makes one of the letters that lower case alone keeps apart (ß and SS, the two small sigmas).
 */
export function fold(text: string): string {
  const once = (t: string) =>
    t.normalize('NFKC').replace(UNSEEN, '').toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFKC');
  return once(once(text));
}
