import { useEffect, useState } from 'preact/hooks';
import type { Job } from '../../../shared/contract/overview.ts';
import { listJobs } from '../../state/admin.ts';
import { ago, until } from '../../ui/format.ts';
import { Tag } from '../../ui/marks.tsx';
import { When } from '../../ui/when.tsx';
import { Heads } from './table-parts.tsx';

function Outcome({ of: { lastRun } }: { of: Job }) {
  if (!lastRun) return <span class="subtle">not yet</span>;
  if (lastRun.outcome === 'failed') {
    return (
      <Tag tone="bad" icon="warn">
        Failed
      </Tag>
    );
  }
  return lastRun.outcome === 'ok' ? (
    <Tag tone="ok" icon="check">
      Done
    </Tag>
  ) : (
    <Tag icon="refresh">Running</Tag>
  );
}

/** What the server does by itself, and how that went. */
export function Jobs() {
  const [jobs, setJobs] = useState<Job[]>();
  useEffect(() => {
    void listJobs().then((result) => result.ok && setJobs(result.value));
  }, []);
  if (!jobs) return <p class="small muted">Nothing is known of them yet.</p>;
  return (
    <div class="card card--table">
      <table class="table">
        <caption class="sr">Background jobs</caption>
        <Heads words={['What', 'Last run', 'Outcome', 'Next']} />
        <tbody>
          {jobs.map((job) => (
            <tr key={job.name}>
              <td>
                <span class="cell">
                  {job.summary}
                  {job.lastRun?.detail && <small class="jobs__detail">{job.lastRun.detail}</small>}
                </span>
              </td>
              <td class="small muted nowrap">{job.lastRun ? <When at={job.lastRun.startedAt} words={ago} /> : '—'}</td>
              <td>
                <Outcome of={job} />
              </td>
              <td class="small muted nowrap">
                <When at={job.nextRunAt} words={until} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
