// Files to upload. Both are as small as possible; the browser does decode the picture.

export const PICTURE = {
  name: 'cover.png',
  mimeType: 'image/png',
  buffer: Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64'
  ),
};

export const DOCUMENT = {name: 'notes.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4')};
