/** The thread in which the lab runs. */
import { expose } from 'comlink';
import { makeService } from './service.ts';

expose(makeService());
