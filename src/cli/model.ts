/** Models as people name them on a command line. */

/**
 * The id of a model for the lab. What looks like a path (it has a slash, or ends in .gguf) or like the
 * address of a .gguf file becomes `path:…`; every other id stays as it is.
 */
export function modelIdOf(named: string): string {
	if (/^(hf|file|path):/.test(named)) return named;
	const address = /^https?:\/\//i.test(named);
	const gguf = /\.gguf(\?.*)?$/i.test(named);
	return gguf || (!address && /[\\/]/.test(named)) ? `path:${named}` : named;
}
