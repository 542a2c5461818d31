// What a person can do about a batch. Each call resolves to a batch as it is then:
// the same one, or after a resend the new one that carries the texts again.
import { call, callOnce } from './api.js';

async function act({ id }, action) {
  const { batch } = await call('POST', `/embed/api/batches/${id}/${action}`, { body: {} });
  return batch;
}

export const pauseBatch = (batch) => act(batch, 'pause');
export const resumeBatch = (batch) => act(batch, 'resume');
export const cancelBatch = (batch) => act(batch, 'cancel');

// A resend sends texts: a repeated press after a lost answer must not send them
// twice.
async function resend({ id }, body) {
  const { batch } = await callOnce('POST', `/embed/api/batches/${id}/resend`, body);
  return batch;
}

export const resendFailed = (batch) => resend(batch, { states: ['failed'] });

/** Sends texts again that may have arrived: ask the person first. */
export const resendUncertain = (batch) => resend(batch, { states: ['uncertain'], confirm: true });
