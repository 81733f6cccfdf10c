/** What the navigation leads to, in its order. */
export const SECTIONS: readonly { readonly href: string; readonly label: string }[] = [
  { href: '/wall', label: 'Wall' },
  { href: '/map', label: 'Map' },
  { href: '/', label: 'Traces' },
  { href: '/logs', label: 'Logs' },
  { href: '/explore', label: 'Explore' },
  { href: '/incidents', label: 'Incidents' },
  { href: '/completeness', label: 'Completeness' },
];
