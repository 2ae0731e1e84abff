import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { Button } from './button.tsx';
import { around, FORMAT_LABELS, SECRET_FORMATS, type SecretFormat } from './secret-formats.ts';
import { PanelTabs } from './tabs.tsx';

interface SecretProps {
  secret: string;
  /** The companion's address, for the curl form. */
  server: string;
  format: SecretFormat;
  onFormat: (format: SecretFormat) => void;
  copied: boolean;
  onCopy: () => void;
}

// Hidden text has the length of what it hides, so that nothing moves.
const veil = (text: string) => '•'.repeat(text.length);

function Secret({
  secret,
  format,
  server,
  shown,
}: {
  secret: string;
  format: SecretFormat;
  server: string;
  shown: boolean;
}): ComponentChildren {
  const [before, after] = around(format, server);
  const cut = secret.lastIndexOf('_') + 1;
  const body = secret.slice(cut);
  if (format === 'key') {
    return (
      <code class="key">
        <span>{secret.slice(0, cut)}</span>
        {shown ? body : veil(body)}
      </code>
    );
  }
  return (
    <code>
      <span class="hl">{before}</span>
      {secret.slice(0, cut)}
      {shown ? body : veil(body)}
      <span class="hl">{after}</span>
    </code>
  );
}

/** The fresh secret in the form that is wanted. Its text can be selected at once and is never cut. */
export function SecretBlock({ secret, server, format, onFormat, copied, onCopy }: SecretProps) {
  const [shown, setShown] = useState(true);
  const panel = useId();
  return (
    <div class="stack" style="--gap:8px">
      <PanelTabs
        label="Copy as"
        panel={panel}
        options={SECRET_FORMATS.map((value) => ({ value, label: FORMAT_LABELS[value] }))}
        value={format}
        onChange={onFormat}
      />
      <div class="secret" role="tabpanel" id={panel} aria-label="Secret, shown once">
        <pre>
          <Secret secret={secret} format={format} server={server} shown={shown} />
        </pre>
        <div class="secret__bar">
          <Button variant="ghost" size="sm" icon="copy" kbd="c" onClick={onCopy}>
            {copied ? 'Copy again' : 'Copy'}
          </Button>
          <Button variant="ghost" size="sm" icon={shown ? 'eye-off' : 'eye'} onClick={() => setShown(!shown)}>
            {shown ? 'Hide' : 'Show'}
          </Button>
        </div>
      </div>
    </div>
  );
}
