/** What the list of sessions calls a browser: "Chrome 142 on macOS". */
export function browserLabel(userAgent: string | null): string {
  const ua = userAgent ?? '';
  const [, name = 'Browser', version = ''] =
    /(Firefox|Edg|OPR|Chrome)\/(\d+)/.exec(ua.replace(/Chrome\/\d+(?=.*(Edg|OPR)\/)/, '')) ??
    (/Safari\//.test(ua) ? (/(Version)\/(\d+)/.exec(ua) ?? []) : []);
  const shown = { Edg: 'Edge', OPR: 'Opera', Version: 'Safari' }[name] ?? name;
  const [, system] = /(Windows|Android|iPhone|iPad|Mac OS X|CrOS|Linux)/.exec(ua) ?? [];
  const os = system && ({ 'Mac OS X': 'macOS', CrOS: 'ChromeOS', iPhone: 'iOS', iPad: 'iPadOS' }[system] ?? system);
  return [version ? `${shown} ${version}` : shown, os].filter(Boolean).join(' on ');
}
