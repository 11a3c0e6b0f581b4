/** The files in what was dragged, those of folders with their paths. */

/** Deeper folders hold no model, and a folder may be a whole disk. */
const DEEPEST = 3;
const MOST = 500;

export async function filesOf(transfer: DataTransfer): Promise<File[]> {
	// Entries are gone once the event is over: all are taken before the first wait.
	const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
	if (entries.every((entry) => entry === null)) return [...transfer.files];
	const found: File[] = [];
	for (const entry of entries) if (entry) await walk(entry, 0, found);
	return found;
}

async function walk(entry: FileSystemEntry, depth: number, found: File[]): Promise<void> {
	if (found.length >= MOST) return;
	if (entry.isFile) {
		const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)).catch(() => null);
		if (file) found.push(withPath(file, entry.fullPath.replace(/^\//, '')));
		return;
	}
	if (depth >= DEEPEST) return;
	const reader = (entry as FileSystemDirectoryEntry).createReader();
	for (;;) {
		// A hundred at a time, until there are none.
		const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject)).catch(() => []);
		if (some.length === 0) return;
		for (const child of some) await walk(child, depth + 1, found);
	}
}

/** A dropped file does not know its folder, unlike one that was chosen. */
function withPath(file: File, path: string): File {
	if (path.includes('/')) Object.defineProperty(file, 'webkitRelativePath', { value: path });
	return file;
}
