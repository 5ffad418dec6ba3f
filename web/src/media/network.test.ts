import { afterEach, describe, expect, it, vi } from 'vitest';
import { onNetworkChange } from './network.ts';

class FakeInformation extends EventTarget {
  type: string | undefined = 'wifi';

  becomes(type: string | undefined): void {
    this.type = type;
    this.dispatchEvent(new Event('change'));
  }
}

function withInformation(): FakeInformation {
  const information = new FakeInformation();
  Object.defineProperty(navigator, 'connection', { value: information, configurable: true });
  return information;
}

afterEach(() => Reflect.deleteProperty(navigator, 'connection'));

describe('onNetworkChange', () => {
  it('tells when this device is online again, until it is stopped', () => {
    const act = vi.fn();
    const stop = onNetworkChange(act);
    window.dispatchEvent(new Event('online'));
    expect(act).toHaveBeenCalledTimes(1);
    stop();
    window.dispatchEvent(new Event('online'));
    expect(act).toHaveBeenCalledTimes(1);
  });

  it('tells of another kind of network, and not of another estimate of its speed', () => {
    const information = withInformation();
    const act = vi.fn();
    const stop = onNetworkChange(act);
    information.becomes('wifi');
    expect(act).toHaveBeenCalledTimes(0);
    information.becomes('cellular');
    expect(act).toHaveBeenCalledTimes(1);
    information.becomes('none');
    expect(act).toHaveBeenCalledTimes(1);
    information.becomes('wifi');
    expect(act).toHaveBeenCalledTimes(2);
    stop();
    information.becomes('cellular');
    expect(act).toHaveBeenCalledTimes(2);
  });

  it('takes no change from a browser that does not name the kind', () => {
    const information = withInformation();
    information.type = undefined;
    const act = vi.fn();
    onNetworkChange(act);
    information.becomes(undefined);
    expect(act).not.toHaveBeenCalled();
  });
});
