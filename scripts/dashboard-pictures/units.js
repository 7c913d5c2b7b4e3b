// Numbers as Grafana writes them, near enough for a picture.
const round = (number, digits = 3) => (Number.isInteger(number) ? String(number) : String(Number(number.toPrecision(digits))));

function scaled(number, steps, units) {
  let at = 0;
  let rest = number;
  while (Math.abs(rest) >= steps && at < units.length - 1) {
    rest /= steps;
    at += 1;
  }
  return `${round(rest)}${units[at]}`;
}

/** The moment of which a picture is. */
let moment = Date.now();
export const setMoment = (seconds) => (moment = seconds * 1000);

export function format(number, unit, decimals) {
  if (number === null || number === undefined || Number.isNaN(number)) return '–';
  switch (unit) {
    case 's': {
      const size = Math.abs(number);
      if (size === 0) return '0 s';
      if (size < 0.001) return `${round(number * 1e6)} µs`;
      if (size < 1) return `${round(number * 1000)} ms`;
      if (size < 120) return `${round(number)} s`;
      return size < 7200 ? `${round(number / 60)} min` : `${round(number / 3600)} h`;
    }
    case 'percentunit':
      return `${decimals === undefined ? round(number * 100) : (number * 100).toFixed(decimals)} %`;
    case 'bytes':
      return scaled(number, 1024, [' B', ' KiB', ' MiB', ' GiB']);
    case 'reqps':
      return `${round(number)} req/s`;
    case 'ops':
      return `${round(number)} ops/s`;
    case 'eps':
      return `${round(number)} evt/s`;
    case 'mps':
      return `${round(number)} msg/s`;
    case 'currencyUSD':
      return `$${round(number)}`;
    case 'dateTimeFromNow':
      return `${Math.max(0, Math.round((moment - number) / 1000))} seconds ago`;
    case 'short':
      return scaled(number, 1000, ['', ' K', ' M', ' G']);
    default:
      return decimals === undefined ? round(number) : number.toFixed(decimals);
  }
}
