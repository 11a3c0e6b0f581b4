/** Parameters with which each method acts on a small cache of random numbers: some 40 to 70 tokens of 8 channels. */
export const acting: Record<string, object> = {
	'svd-truncation': { rankK: 3, rankV: 4 },
	rtn: { bitsK: 3, bitsV: 5, group: 8, axisK: 'channel' },
	kivi: { group: 8, residual: 16 },
	quest: { page: 4, exempt: 0 },
	dms: { threshold: -2.8, window: 12 },
	simlayerkv: { threshold: 0, n_recent: 20 },
	'moment-kv-momentum': { capacity: 8 },
	think: { recent_size: 10 },
	'conf-kv': { recent: 4, window: 6, group: 4 },
	'lu-kv': { sink: 2, window: 4 },
	tangram: { sink: 2, window: 4 }
};

export const actingSpec = (method: string, more: object = {}): { method: string; params: object } => ({ method, params: { ...acting[method], ...more } });
