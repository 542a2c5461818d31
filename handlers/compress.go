package handlers

import (
	"bytes"
	"compress/gzip"
	"sync"

	"github.com/gin-gonic/gin"

	"dialpad-texting/static"
)

// minCompressed is the size of an answer from which compression saves a packet.
const minCompressed = 1400

var gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// writeCompressed writes a whole answer, gzipped where the client takes it and
// it pays.
//
// A compressed answer's length tells who can repeat it with chosen input what
// secret is in it (BREACH). Pages hold a session token, but no input of the
// request. JSON of the API holds none, and only the
// page itself can ask for it: its bearer is in no cookie. Answers that do bring
// a token or a ticket (writeSecret), to signed calls, and of the connect window
// are not compressed, nor are streams.
func writeCompressed(c *gin.Context, status int, contentType string, body []byte) {
	if len(body) < minCompressed {
		c.Data(status, contentType, body)
		return
	}
	c.Writer.Header().Add("Vary", "Accept-Encoding")
	if static.AcceptsGzip(c.GetHeader("Accept-Encoding")) {
		if gzipped, err := gzipBytes(body); err == nil {
			c.Header("Content-Encoding", "gzip")
			body = gzipped
		}
	}
	c.Data(status, contentType, body)
}

func gzipBytes(body []byte) ([]byte, error) {
	zip := gzipWriters.Get().(*gzip.Writer) //nolint:forcetypeassert // the pool has no others
	defer gzipWriters.Put(zip)
	var out bytes.Buffer
	zip.Reset(&out)
	if _, err := zip.Write(body); err != nil {
		return nil, err
	}
	err := zip.Close()
	return out.Bytes(), err
}

// writeSecret writes a view that holds a secret, never compressed.
func writeSecret(c *gin.Context, status int, view any, err error) error {
	if err != nil {
		return err
	}
	c.JSON(status, view)
	return nil
}
