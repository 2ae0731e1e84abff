/**
 * Text from elsewhere as it may be shown on a terminal: without the characters that move the cursor, change what was printed
 * before, or hide.
 */
export const printable = (text: string): string => text.replace(/\p{C}+/gu, ' ').slice(0, 1000);
