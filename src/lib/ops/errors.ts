/** What the graphics device reported. WebGPU never throws: a bad kernel gives zeros and an event. */
const errors: string[] = [];
const MOST = 8;
let lostListeners: ((reason: string) => void)[] = [];

/** Errors since the last call that cleared them; empty on wasm and cpu. */
export function deviceErrors(clear = false): string[] {
	return clear ? errors.splice(0) : errors.slice();
}

/** Throws the reported errors, if there are any, and clears them. */
export function throwDeviceErrors(): void {
	if (errors.length === 0) return;
	throw new Error(`The graphics device reported: ${errors.splice(0).join(' | ')}`);
}

/** Calls back when the device is lost; returns how to stop listening. */
export function onDeviceLost(listener: (reason: string) => void): () => void {
	lostListeners.push(listener);
	return () => { lostListeners = lostListeners.filter((other) => other !== listener); };
}

const lost = new WeakSet<GPUDevice>();

/** Whether the device is gone; a new one has to be opened then. */
export function isLost(device: GPUDevice): boolean {
	return lost.has(device);
}

/** Starts listening to a device. */
export function watch(device: GPUDevice): void {
	device.addEventListener('uncapturederror', (event) => {
		const { message } = (event as GPUUncapturedErrorEvent).error;
		// One bad kernel fails again in every command that uses it.
		if (errors.length < MOST && !errors.includes(message)) errors.push(message);
	});
	device.lost.then((info) => {
		lost.add(device);
		if (info.reason === 'destroyed') return;
		const reason = info.message || 'no reason given';
		errors.push(`device lost: ${reason}`);
		for (const listener of lostListeners) listener(reason);
	});
}
