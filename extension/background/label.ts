const BROWSERS: [RegExp, string][] = [
  [/\bFirefox\/(\d+)/, 'Firefox'],
  [/\bEdg\/(\d+)/, 'Edge'],
  [/\bOPR\/(\d+)/, 'Opera'],
  [/Chrome\/(\d+)/, 'Chrome'],
];
const SYSTEMS: Record<string, string> = {
  mac: 'macOS',
  win: 'Windows',
  linux: 'Linux',
  cros: 'ChromeOS',
  android: 'Android',
  openbsd: 'OpenBSD',
};

/** What the list of sessions calls this browser, e.g. "Chrome 142 on macOS". */
export function browserLabel(userAgent: string, os: string): string {
  for (const [pattern, name] of BROWSERS) {
    const version = pattern.exec(userAgent)?.[1];
    if (version) return `${name} ${version} on ${SYSTEMS[os] ?? os}`;
  }
  return `Browser on ${SYSTEMS[os] ?? os}`;
}
