/**
 * WebGPU under Node: Dawn from the package `webgpu`, over Vulkan. Where no Vulkan driver is named,
 * the software driver and loader that come with Debian's Chromium are taken. Browsers never load this.
 */
const CHROMIUM = '/usr/lib/chromium';

/** Defines `navigator.gpu` and the WebGPU constants. Throws if the package is not installed. */
export async function installWebGpu(): Promise<void> {
	// A variable keeps bundlers for the browser from following the import.
	const dawnModule = 'webgpu';
	const { create, globals } = (await import(/* @vite-ignore */ dawnModule)) as typeof import('webgpu');
	await prepareVulkan();
	Object.assign(globalThis, globals);
	if (typeof navigator === 'undefined') {
		Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true, writable: true });
	}
	Object.defineProperty(navigator, 'gpu', { value: create(['backend=vulkan']), configurable: true });
}

/** Names a driver and loads a Vulkan loader; both must be there before Dawn makes its instance. */
async function prepareVulkan(): Promise<void> {
	const fsModule = 'node:fs';
	const { existsSync } = (await import(/* @vite-ignore */ fsModule)) as typeof import('node:fs');
	const driver = process.env.VK_ICD_FILENAMES ?? `${CHROMIUM}/vk_swiftshader_icd.json`;
	if (!existsSync(driver)) return;
	process.env.VK_ICD_FILENAMES = driver;
	const loader = `${driver.slice(0, driver.lastIndexOf('/'))}/libvulkan.so.1`;
	if (!existsSync(loader)) return;
	try {
		// Not a Node module, so this throws; but the library stays loaded under its name (RTLD_NOW |
		// RTLD_NODELETE), and Dawn, which asks for that name, finds it without LD_LIBRARY_PATH.
		process.dlopen({ exports: {} }, loader, 0x2 | 0x1000);
	} catch {
		// Expected.
	}
}
