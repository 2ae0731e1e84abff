import { activity } from '../../../shared/contract/overview.ts';
import type { Deps } from '../../app/deps.ts';
import { listJobs } from '../../app/jobs/runner.ts';
import { listEvents } from '../../app/keys/list-events.ts';
import { listRequests } from '../../app/usage/list-requests.ts';
import { readOverview } from '../../app/usage/overview.ts';
import type { Authenticate } from '../authenticate.ts';
import { bindAll } from '../bind.ts';
import type { App } from '../context.ts';

export function bindActivity(app: App, deps: Deps, authenticate: Authenticate): void {
  bindAll(app, activity, authenticate, {
    readOverview: ({ caller, query }) => readOverview(deps, caller, query),
    listRequests: ({ caller, query }) => listRequests(deps, caller, query),
    listEvents: ({ caller, query }) => listEvents(deps, caller, query),
    listJobs: () => listJobs(deps),
  });
}
