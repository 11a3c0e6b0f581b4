/** What a WebGPU adapter says of itself. Light: pages ask before any engine is loaded. */
export interface AdapterInfo {
	vendor: string;
	architecture: string;
	description: string;
	isFallbackAdapter?: boolean;
}

/** SwiftShader and other CPU adapters. */
export function isSoftware(info: AdapterInfo): boolean {
	if (info.isFallbackAdapter) return true;
	const all = `${info.vendor} ${info.architecture} ${info.description}`.toLowerCase();
	return /swiftshader|llvmpipe|lavapipe|software|basic render|warp/.test(all) || info.vendor.toLowerCase() === 'google';
}
