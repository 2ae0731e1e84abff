import { useEffect, useRef, useState } from 'preact/hooks';
import type { ChainReport } from '../../../shared/contract/audit.ts';
import type { Failure } from '../../messages/failure.ts';
import { exportAudit, verifyAudit } from '../../state/admin.ts';
import { copy } from '../../state/secret.ts';
import { showFailure } from '../../state/toasts.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { FailureNote } from '../../ui/failure-note.tsx';
import { TextField } from '../../ui/field.tsx';
import { number } from '../../ui/format.ts';
import { Tag } from '../../ui/marks.tsx';
import { MenuItem, useMenu } from '../../ui/menu.tsx';
import { Callout } from '../../ui/notice.tsx';
import { saveFile } from '../save-file.ts';
import { headOf, headText } from './audit-words.ts';

/** Saves the whole log, as JSON Lines or for a spreadsheet. */
export function ExportMenu({ urgent }: { urgent: boolean }) {
  const menu = useMenu();
  const [busy, setBusy] = useState(false);
  const save = async (format: 'jsonl' | 'csv') => {
    setBusy(true);
    const result = await exportAudit(format);
    setBusy(false);
    if (!result.ok) return showFailure('The log was not exported', result.failure);
    saveFile(`audit-log.${format}`, format === 'csv' ? 'text/csv' : 'application/jsonl', result.value);
  };
  return (
    <>
      <Button
        variant={urgent ? 'primary' : 'secondary'}
        icon="download"
        busy={busy && 'Exporting'}
        popup="menu"
        expanded={menu.open}
        buttonRef={menu.opener}
        onClick={menu.toggle}
      >
        {urgent ? 'Export now' : 'Export'}
      </Button>
      {menu.show({
        label: 'Export the whole log',
        align: 'end',
        children: (
          <>
            <MenuItem icon="code" onSelect={menu.choose(() => void save('jsonl'))}>
              JSON Lines
            </MenuItem>
            <MenuItem icon="grid" onSelect={menu.choose(() => void save('csv'))}>
              CSV for a spreadsheet
            </MenuItem>
          </>
        ),
      })}
    </>
  );
}

export interface Check {
  report?: ChainReport;
  failure?: Failure;
  at?: number;
  busy: boolean;
}

/** The chain is checked when the page is opened, and again on request. */
export function useCheck() {
  const [check, setCheck] = useState<Check>({ busy: true });
  const verify = async () => {
    setCheck((before) => ({ ...before, busy: true }));
    const result = await verifyAudit();
    setCheck({ busy: false, at: Date.now(), ...(result.ok ? { report: result.value } : { failure: result.failure }) });
  };
  useEffect(() => {
    void verify();
  }, []);
  return { check, verify };
}

/** Whether the chain holds, in two words. */
export function ChainTag({ check }: { check: Check }) {
  if (check.failure)
    return (
      <Tag tone="warn" icon="alert">
        Not checked
      </Tag>
    );
  if (!check.report) return <Tag icon="refresh">Checking</Tag>;
  return check.report.valid ? (
    <Tag tone="ok" icon="shield-check">
      Chain verified
    </Tag>
  ) : (
    <Tag tone="bad" icon="warn">
      Chain broken
    </Tag>
  );
}

/** Where the chain breaks, and what to do about it. */
export function Broken({ at, onShow }: { at: number; onShow: () => void }) {
  return (
    <div class="page__note">
      <Callout tone="bad" icon="warn" live>
        <p>
          <b>The chain breaks at entry {number(at)}.</b> It does not match entry {number(at - 1)}, so something there
          was changed outside Heex Keys. Keep this server as it is. Export the log now and compare it with a copy that
          you kept elsewhere.{' '}
          <LinkButton class="link--inline" onClick={onShow}>
            Show entry {number(at)}
          </LinkButton>
        </p>
      </Callout>
    </div>
  );
}

type Head = NonNullable<ChainReport['head']>;

function useCompare() {
  const [typed, setTyped] = useState('');
  const [error, setError] = useState<string>();
  const [failure, setFailure] = useState<Failure>();
  const [outcome, setOutcome] = useState<{ of: Head; report: ChainReport }>();
  const [busy, setBusy] = useState(false);
  const change = (text: string) => {
    setTyped(text);
    setError(undefined);
    setOutcome(undefined);
  };
  const compare = async () => {
    if (busy) return;
    const kept = headOf(typed);
    if (!kept) return setError('Paste the number and the 64 digits of the hash, as “Copy head” gives them.');
    setBusy(true);
    const result = await verifyAudit(kept);
    setBusy(false);
    setFailure(result.ok ? undefined : result.failure);
    if (result.ok) setOutcome({ of: kept, report: result.value });
  };
  return { typed, change, error, failure, outcome, busy, compare };
}

function Outcome({ of: kept, report }: { of: Head; report: ChainReport }) {
  const at = number(kept.seq);
  if (report.valid)
    return (
      <Callout tone="ok" live>
        <p>
          <b>Nothing up to entry {at} was changed or cut off</b> since that head was copied.
        </p>
      </Callout>
    );
  return (
    <Callout tone="bad" live>
      <p>
        <b>The log is not the one that this head was copied from.</b> It breaks at entry{' '}
        {number(report.brokenAt ?? kept.seq)}. Keep this server as it is, and export the log now.
      </p>
    </Callout>
  );
}

/** The newest sealed entry: to keep elsewhere, and to compare with one that was kept. */
function HeadDialog({ of: head, onClose }: { of: Head; onClose: () => void }) {
  const { typed, change, error, failure, outcome, busy, compare } = useCompare();
  const [copied, setCopied] = useState<boolean>();
  const act = async () => setCopied(await copy(headText(head)));
  return (
    <Dialog
      title="Head of the log"
      subtitle={`Entry ${number(head.seq)}`}
      onClose={onClose}
      onSubmit={() => void compare()}
      foot={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button variant="primary" busy={busy && 'Comparing'} onClick={() => void compare()}>
            Compare
          </Button>
        </>
      }
    >
      <div class="stack">
        <p class="muted">
          Keep it somewhere else from time to time. With it, a log that was changed or cut off is found out even if
          somebody had the whole server.
        </p>
        <div class="well head-hash">
          <code>{head.hash}</code>
        </div>
        <div class="row">
          <Button size="sm" icon="copy" onClick={() => void act()}>
            Copy head
          </Button>
          <span class={`small ${copied ? 'ok' : 'bad'}`} role="status">
            {copied === undefined ? '' : copied ? 'Copied' : 'Not copied. Select it and copy it by keyboard.'}
          </span>
        </div>
        {failure && <FailureNote what="It could not be compared" failure={failure} />}
        {outcome && <Outcome {...outcome} />}
        <TextField
          label="A head that you kept"
          mono
          value={typed}
          autoFocus
          error={error}
          placeholder={`${head.seq} ${head.hash.slice(0, 8)}…`}
          onInput={change}
        />
      </div>
    </Dialog>
  );
}

/** The head’s number and hash, which open what can be done with it. */
export function HeadButton({ of: head }: { of: Head }) {
  const [open, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  return (
    <>
      <Button variant="ghost" size="sm" icon="chain" popup="dialog" buttonRef={opener} onClick={() => setOpen(true)}>
        Head <code>{head.hash.slice(0, 8)}</code>
      </Button>
      {open && <HeadDialog of={head} onClose={() => setOpen(false)} />}
    </>
  );
}
