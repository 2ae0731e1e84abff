import { device } from '../../../shared/contract/device.ts';
import type { Deps } from '../../app/deps.ts';
import { beginDevice, redeemDevice } from '../../app/device.ts';
import type { Authenticate } from '../authenticate.ts';
import { bind } from '../bind.ts';
import type { App } from '../context.ts';

export function bindDevice(app: App, deps: Deps, authenticate: Authenticate): void {
  bind(app, device.deviceCode, authenticate, ({ body, origin }) => beginDevice(deps, body, origin));
  bind(app, device.deviceToken, authenticate, ({ body, origin }) => redeemDevice(deps, body, origin));
}
