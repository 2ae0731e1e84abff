import { render } from 'preact';
import { startState } from '../../state/boot.ts';

await startState('popup');
render(<main>Heex Keys</main>, document.getElementById('root') as HTMLElement);
