import { render } from 'preact';
import { startState } from '../../state/boot.ts';
import { Workspace } from '../../views/workspace.tsx';

await startState('workspace');
render(<Workspace />, document.getElementById('root') as HTMLElement);
