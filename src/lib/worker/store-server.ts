/** The thread in which models are fetched and kept: apart from the lab, so that neither holds up the other. */
import { expose } from 'comlink';
import { makeStoreService } from './store-service.ts';

expose(makeStoreService());
