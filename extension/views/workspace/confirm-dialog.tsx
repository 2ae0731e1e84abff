import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Failure, Result } from '../../messages/failure.ts';
import { showToast } from '../../state/toasts.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { FailureNote } from '../../ui/failure-note.tsx';

interface ConfirmDialogProps {
  title: string;
  subtitle?: string;
  /** What the button that destroys something says, e.g. `Remove agent`. */
  act: string;
  /** What it says meanwhile, e.g. `Removing`. */
  acting: string;
  work: () => Promise<Result<unknown>>;
  /** What is said when it is done, in passing. */
  done: string;
  /** What is said when the server refused, before its reason. */
  failed: string;
  /** What it means. */
  children: ComponentChildren;
  onClose: () => void;
  onDone: () => void;
}

/** Asks before something is destroyed; what the server refuses is said in it, and it stays. */
export function ConfirmDialog({ act, acting, work, done, failed, children, onDone, ...dialog }: ConfirmDialogProps) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const confirm = async () => {
    setBusy(true);
    const result = await work();
    setBusy(false);
    if (!result.ok) return setFailure(result.failure);
    showToast(done);
    onDone();
  };
  return (
    <Dialog
      alert
      {...dialog}
      foot={
        <>
          <Button onClick={dialog.onClose}>Cancel</Button>
          <Button variant="danger" busy={busy && acting} onClick={() => void confirm()}>
            {act}
          </Button>
        </>
      }
    >
      <div class="stack" style="--gap:12px">
        {failure && <FailureNote what={failed} failure={failure} />}
        {children}
      </div>
    </Dialog>
  );
}
