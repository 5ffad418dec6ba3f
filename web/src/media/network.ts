/** Where a browser tells it, the kind of network that this device is on (Network Information API; no type in its DOM library). */
interface NetworkInformation extends EventTarget {
  type?: string;
}

/**
 * Calls `act` when this device is on another network, or on one again, until the returned function is called.
 *
 * `navigator.connection` also reports every new estimate of the speed: only another kind of network counts.
 */
export function onNetworkChange(act: () => void): () => void {
  const { connection } = navigator as Navigator & { connection?: NetworkInformation };
  let type = connection?.type;
  const compare = () => {
    const before = type;
    type = connection?.type;
    if (type !== before && type !== 'none') act();
  };
  window.addEventListener('online', act);
  connection?.addEventListener('change', compare);
  return () => {
    window.removeEventListener('online', act);
    connection?.removeEventListener('change', compare);
  };
}
