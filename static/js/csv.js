// Reports as files, their headings in the language of the page.
import { call } from './api.js';
import { download, t } from './dom.js';

const MARK = '\ufeff'; // spreadsheets need it to read UTF-8

/** Saves the CSV at an address as a file, with the headings of a key in place of the first line. */
export async function downloadReport(address, name, headings) {
  const csv = await (await call('GET', address, { accept: 'text/csv' })).text(); // without the mark
  const rows = csv.slice(csv.indexOf('\n') + 1);
  download(name, new Blob([`${MARK}${t(headings)}\r\n${rows}`], { type: 'text/csv;charset=utf-8' }));
}
