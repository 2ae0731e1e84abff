import { render } from 'preact';
import { startState } from '../../state/boot.ts';
import { Popup } from '../../views/popup.tsx';

await startState('popup');
render(<Popup />, document.getElementById('root') as HTMLElement);
