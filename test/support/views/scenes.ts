import { base, type Scene } from './answers.ts';
import { POPUP_SCENES } from './scenes-popup.ts';
import { WORKSPACE_SCENES } from './scenes-workspace.ts';

export const SCENES: Record<string, Scene> = Object.fromEntries(
  Object.entries({ ...POPUP_SCENES, ...WORKSPACE_SCENES }).map(([name, scene]) => [
    name,
    { ...scene, answers: { ...base, ...scene.answers } },
  ]),
);
