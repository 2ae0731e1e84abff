import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { copy } from '../../state/secret.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Callout } from '../../ui/notice.tsx';

interface SecretDialogProps {
  title: string;
  secret: string;
  /** What to do with it, and what to do when it is lost. */
  children: ComponentChildren;
  onClose: () => void;
}

/** The only time that a secret is shown: the dialog stays until the person says that it was stored. */
export function SecretDialog({ title, secret, children, onClose }: SecretDialogProps) {
  const [copied, setCopied] = useState<boolean>();
  const act = async () => setCopied(await copy(secret));
  return (
    <Dialog
      title={copied ? 'Copied to your clipboard' : title}
      onClose={() => undefined}
      foot={
        <Button variant="primary" icon="check" onClick={onClose}>
          I stored it
        </Button>
      }
    >
      <div class="stack" style="--gap:12px">
        <div class="secret">
          <pre>
            <code>{secret}</code>
          </pre>
          <div class="secret__bar">
            <Button variant="ghost" size="sm" icon="copy" onClick={() => void act()}>
              {copied ? 'Copy again' : 'Copy'}
            </Button>
            <span class="small bad" role="status">
              {copied === false && 'Not copied. Select it and copy it by keyboard.'}
            </span>
          </div>
        </div>
        <Callout tone="warn" icon="eye-off">
          <p>
            <b>It will not be shown again.</b> {children}
          </p>
        </Callout>
      </div>
    </Dialog>
  );
}
