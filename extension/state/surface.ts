import { signal } from '@preact/signals';

/** Which page this is: the toolbar popup of 400×600, or the workspace in a full tab. */
export type Surface = 'popup' | 'workspace';
export const surface = signal<Surface>('popup');
