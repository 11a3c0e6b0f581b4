/** What the page's state takes from the browser. */

/** Ends at once in a tab that can be seen, else when it is. */
export function whenVisible(): Promise<void> {
	if (document.visibilityState === 'visible') return Promise.resolve();
	return new Promise((resolve) => {
		const look = () => {
			if (document.visibilityState !== 'visible') return;
			document.removeEventListener('visibilitychange', look);
			resolve();
		};
		document.addEventListener('visibilitychange', look);
	});
}

const PREFIX = 'winnow:';

/** Small things that outlive a visit; where storage is refused they do not. */
export const siteNotes = {
	read(name: string): string | null {
		try {
			return localStorage.getItem(PREFIX + name);
		} catch {
			return null;
		}
	},
	write(name: string, value: string): void {
		try {
			localStorage.setItem(PREFIX + name, value);
		} catch {
			// Said nowhere: nothing that was asked for depends on it.
		}
	}
};
