import { installMissing } from './programs.ts';

export default function setup() {
  installMissing(['sqlite3', 'strace', 'nginx-light', 'caddy']);
}
