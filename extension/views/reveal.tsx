import { useState } from 'preact/hooks';
import type { FreshSecret } from '../messages/published.ts';
import { connection } from '../state/connection.ts';
import { forgetSent } from '../state/drafts.ts';
import { insertIntoPage, insertTarget } from '../state/insert.ts';
import { leaveNewKey, replaceFrom, replaceRoute } from '../state/route.ts';
import { copySecret, dismissSecret, freshSecrets, secretFormat } from '../state/secret.ts';
import { showFailure, showToast } from '../state/toasts.ts';
import { Button } from '../ui/button.tsx';
import { fullDay } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { Env, Prefix } from '../ui/marks.tsx';
import { Callout } from '../ui/notice.tsx';
import { PopupPage, TitleBar } from '../ui/page.tsx';
import { SecretBlock } from '../ui/secret-block.tsx';
import { asFormat, formatSecret } from '../ui/secret-formats.ts';
import { useShortcuts } from '../ui/shortcuts.ts';

const origin = () => ('origin' in connection.value ? connection.value.origin : '');

/** Which key this is: the same line whatever became of the clipboard. */
function Which({ fresh }: { fresh: FreshSecret }) {
  const { key } = fresh;
  return (
    <p class="small muted row" style="gap:6px">
      <span class="truncate" title={key.name}>
        {key.name}
      </span>
      <span class="subtle">·</span>
      <Env of={key.environment} />
      <span class="subtle">·</span>
      <span class="nowrap">{key.expiresAt ? `expires ${fullDay(key.expiresAt)}` : 'never expires'}</span>
    </p>
  );
}

function Outcome({ fresh, copied }: { fresh: FreshSecret; copied: boolean }) {
  return (
    <div class="row row--top outcome" role="status">
      <span class={`avatar avatar--lg ${copied ? 'outcome--ok' : 'outcome--warn'}`}>
        <Icon name={copied ? 'check' : 'copy'} />
      </span>
      <div class="grow">
        <h2>{copied ? 'Copied to your clipboard' : 'Not copied. Press Copy.'}</h2>
        <Which fresh={fresh} />
      </div>
    </div>
  );
}

function Insert({ text }: { text: string }) {
  const [done, setDone] = useState<string>();
  const target = insertTarget.value;
  if (!target) return null;
  const act = async () => {
    const result = await insertIntoPage(text);
    if (result.ok) setDone(result.field ? `Inserted into “${result.field}”` : 'Inserted');
    else
      setDone(
        result.reason === 'no_field' ? 'Click into a text field of the page first' : 'This page doesn’t allow it',
      );
  };
  return (
    <div class="option insert">
      <Icon name="insert" />
      <span class="truncate">
        <b>Insert into this tab</b>
        <small class="truncate" role="status">
          {done ?? `The field with the cursor on ${target.host}`}
        </small>
      </span>
      <Button size="sm" onClick={() => void act()}>
        Insert
      </Button>
    </div>
  );
}

/** The form that led to it is left; any other screen that it lies over is where the person was, and stays. */
function leaveForm({ kind, key }: FreshSecret): void {
  if (kind === 'rotated') replaceFrom({ screen: 'rotate', id: key.id }, { screen: 'key', id: key.id });
  else {
    replaceFrom({ screen: 'new' }, { screen: 'keys' });
    leaveNewKey();
  }
}

async function stored(fresh: FreshSecret, to?: Parameters<typeof replaceRoute>[0]): Promise<void> {
  // First, as the popup may be closed before the answer: the secret lies over it for as long as it is there.
  if (to) replaceRoute(to);
  else leaveForm(fresh);
  forgetSent(fresh);
  const result = await dismissSecret(fresh);
  if (!result.ok) showFailure('Not confirmed', result.failure);
}

/** The fresh secret, the only time that anyone sees it. It stays here until the person says that it is stored. */
export function Reveal({ fresh }: { fresh: FreshSecret }) {
  return fresh.secret === null ? <Lost fresh={fresh} /> : <Secret fresh={fresh} secret={fresh.secret} />;
}

function Secret({ fresh, secret }: { fresh: FreshSecret; secret: string }) {
  const [failed, setFailed] = useState(false);
  const format = asFormat(secretFormat.value);
  const text = formatSecret(format, secret, origin());
  const copied = fresh.copied && !failed;
  const copyAgain = async () => {
    const done = await copySecret(fresh, text);
    setFailed(!done);
    if (done) showToast('Copied');
  };
  const finish = () => void stored(fresh);
  useShortcuts([
    { key: 'c', words: 'Copy the secret', run: () => void copyAgain() },
    { key: 'Mod+Enter', words: 'I stored it', run: finish },
  ]);
  return (
    <PopupPage
      top={<TitleBar title={fresh.kind === 'created' ? 'Key created' : 'New secret'} onBack={false} />}
      foot={
        <Button variant="primary" icon="check" block onClick={finish}>
          I stored it
        </Button>
      }
    >
      <div class="popup__pad stack">
        <Outcome fresh={fresh} copied={copied} />
        <SecretBlock
          secret={secret}
          server={origin()}
          format={format}
          onFormat={(value) => {
            secretFormat.value = value;
          }}
          copied={copied}
          onCopy={() => void copyAgain()}
        />
        <Insert text={text} />
        <Callout tone="warn" icon="eye-off">
          <p>
            <b>It will not be shown again.</b> The server keeps only a fingerprint. If you lose it, rotate the key to
            get a new secret.
          </p>
        </Callout>
        <p class="small muted">
          Put it in a secret manager, not in a repository or a chat. You can close this popup: the secret waits here
          until you confirm or quit the browser.
        </p>
        {freshSecrets.value.length > 1 && (
          <p class="small muted">{freshSecrets.value.length - 1} more waiting after this one.</p>
        )}
      </div>
    </PopupPage>
  );
}

/** The key was made, but the answer with its secret never came: nobody has it, and nobody can get it. */
function Lost({ fresh }: { fresh: FreshSecret }) {
  const { key } = fresh;
  return (
    <PopupPage
      top={<TitleBar title="Secret lost on the way" onBack={false} />}
      foot={
        <>
          <Button onClick={() => void stored(fresh)}>Leave it</Button>
          <span class="grow" />
          <Button variant="danger-quiet" onClick={() => void stored(fresh, { screen: 'revoke', id: key.id })}>
            Revoke
          </Button>
          <Button variant="primary" icon="rotate" onClick={() => void stored(fresh, { screen: 'rotate', id: key.id })}>
            Rotate
          </Button>
        </>
      }
    >
      <div class="popup__pad stack">
        <div class="row row--top outcome" role="status">
          <span class="avatar avatar--lg outcome--warn">
            <Icon name="warn" />
          </span>
          <div class="grow">
            <h2>
              {fresh.kind === 'created' ? 'The key exists, its secret doesn’t' : 'Rotated, but the new secret is lost'}
            </h2>
            <Which fresh={fresh} />
          </div>
        </div>
        <p>
          The server made it, but its answer did not arrive. Nobody has the secret, and the server keeps only a
          fingerprint, so it can’t be shown.
        </p>
        <div class="well row row--between">
          <span class="small muted">Prefix</span>
          <Prefix of={key.prefix} />
        </div>
        <Callout tone="info">
          <p>
            <b>Rotate it</b> to get a new secret for the same key, or <b>revoke it</b> and start again.
          </p>
        </Callout>
      </div>
    </PopupPage>
  );
}
