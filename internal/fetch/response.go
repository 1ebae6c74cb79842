package fetch

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Response is a document. Body is complete and no longer than Config.MaxBytes.
type Response struct {
	Body      []byte
	MediaType string        // lower case, without parameters; "" when absent or malformed
	MaxAge    time.Duration // remaining freshness by Cache-Control (RFC 9111 §5.2.2); 0 when absent or when caching is forbidden
}

func (f *Fetcher) read(answer *http.Response) (Response, error) {
	switch {
	case answer.StatusCode != http.StatusOK:
		return Response{}, fmt.Errorf("%w: %d", ErrStatus, answer.StatusCode)
	case answer.Header.Get("Content-Encoding") != "" && !strings.EqualFold(answer.Header.Get("Content-Encoding"), "identity"):
		return Response{}, ErrEncoded
	case answer.ContentLength > f.maxBytes:
		return Response{}, ErrTooLarge
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, f.maxBytes+1))
	if err != nil {
		return Response{}, fmt.Errorf("read body: %w", err)
	}
	if int64(len(body)) > f.maxBytes {
		return Response{}, ErrTooLarge
	}
	kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	return Response{Body: body, MediaType: kind, MaxAge: maxAge(answer.Header)}, nil
}

// maxAge returns the remaining freshness: max-age less the time that the response spent in caches (RFC 9111 §4.2).
func maxAge(header http.Header) time.Duration {
	var age, limit uint64
	for _, directive := range strings.Split(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(name) {
		case "no-store", "no-cache", "private":
			return 0
		case "max-age":
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err != nil {
				return 0
			}
			limit = seconds
		}
	}
	if text := header.Get("Age"); text != "" {
		seconds, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return 0
		}
		age = seconds
	}
	if age >= limit {
		return 0
	}
	return time.Duration(limit-age) * time.Second //nolint:gosec // both fit 31 bits
}
