import { EMPTY_NEW_KEY, type NewKeyDraft, newKeyDraft } from '../state/drafts.ts';
import { navigate } from '../state/route.ts';
import { Button } from '../ui/button.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import { Empty } from '../ui/notice.tsx';
import { InstallerKey, useInstallerKey } from './installer-key.tsx';
import { whyNoNewKey } from './keys-states.tsx';

interface PresetProps {
  icon: IconName;
  title: string;
  note: string;
  onStart: () => void;
}

/** What people make a key for, filled in. */
function Preset({ icon, title, note, onStart }: PresetProps) {
  return (
    <button type="button" class="option preset" onClick={onStart}>
      <Icon name={icon} />
      <span>
        <b>{title}</b>
        <small>{note}</small>
      </span>
      <Icon name="right" />
    </button>
  );
}

const start = (draft: Partial<NewKeyDraft>) => {
  newKeyDraft.value = { ...EMPTY_NEW_KEY, ...draft };
  navigate({ screen: 'new' });
};
const CLI: PresetProps = {
  icon: 'terminal',
  title: 'For the Heex CLI',
  note: 'cli-laptop · development · 90 days',
  onStart: () => start({ name: 'cli-laptop', environment: 'development', expiry: '90' }),
};
const SCRIPT: PresetProps = {
  icon: 'box',
  title: 'For a script or container',
  note: 'HEEX_API_KEY · production · 90 days',
  onStart: () => start({ environment: 'production', expiry: '90' }),
};

function Presets() {
  const installer = useInstallerKey();
  return (
    <>
      <Preset {...CLI} />
      <Preset
        icon="agent"
        title="For the Heex Installer"
        note="Used once to enrol an agent · 7 days"
        onStart={installer.start}
      />
      <InstallerKey of={installer} />
      <Preset {...SCRIPT} />
    </>
  );
}

const EmptyKey = () => (
  <svg class="empty__picture" width="72" height="72" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M12 2.5 20.2 7.2v9.6L12 21.5l-8.2-4.7V7.2z" stroke-dasharray="2 1.4" />
    <circle cx="12" cy="10.4" r="2.1" />
    <path d="M11.3 12.3h1.4l.7 4h-2.8z" />
  </svg>
);

/** The first key: what people make one for, filled in. */
export function NoKeys() {
  const blocked = whyNoNewKey();
  return (
    <>
      <Empty picture={<EmptyKey />} title="No keys yet">
        Make one key per use, so replacing one never breaks another.
      </Empty>
      <div class="popup__pad stack no-keys">
        {!blocked && <Presets />}
        <Button
          variant="primary"
          icon="plus"
          kbd="n"
          block
          unavailable={blocked}
          onClick={() => navigate({ screen: 'new' })}
        >
          New key
        </Button>
      </div>
    </>
  );
}
