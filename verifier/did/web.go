package did

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"regain/internal/fetch"
)

// address returns where the document of a did:web is (did:web, Read): /.well-known/did.json of a host, or did.json under
// a path. The colon before a port is written %3A, and nothing else is written with a percent sign.
func address(id DID) (string, error) {
	host, path, deep := strings.Cut(id.id, ":")
	name, port, with := strings.Cut(host, "%3A")
	if !hostName(name) || with && !portNumber(port) {
		return "", fmt.Errorf("%w: did:web names no host", ErrMalformed)
	}
	if with {
		name += ":" + port
	}
	if !deep {
		return "https://" + name + "/.well-known/did.json", nil
	}
	segments := strings.Split(path, ":")
	for _, segment := range segments {
		// What a server decodes, or walks up with, is another path than the one that was read here.
		if madeOf(segment, ".") || strings.Contains(segment, "%") {
			return "", fmt.Errorf("%w: did:web has a path that can be read in two ways", ErrMalformed)
		}
	}
	return "https://" + name + "/" + strings.Join(segments, "/") + "/did.json", nil
}

// hostName reports whether name is a domain name, and no address (did:web, Method-specific identifier).
func hostName(name string) bool {
	for _, label := range strings.Split(name, ".") {
		if label == "" || strings.Trim(label, "-") != label || !madeOf(label, letters+digits+"-") {
			return false
		}
	}
	return !madeOf(name[strings.LastIndexByte(name, '.')+1:], digits) // 127.0.0.1, and 127.1, are addresses
}

func portNumber(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == text
}

const maxDocument = 64 << 10

// web fetches a document.
func (r *Resolver) web(ctx context.Context, id DID) (*Document, error) {
	at, err := address(id)
	if err != nil {
		return nil, err
	}
	document, err := r.documents.Get(ctx, id.String(), func(ctx context.Context) (*Document, time.Duration, error) {
		response, err := r.cfg.Fetch.Get(ctx, at, "application/did+json, application/json")
		if err != nil {
			return nil, 0, fmt.Errorf("%w: %w", ErrUnresolvable, withoutURL(err))
		}
		if kind := response.MediaType; kind != "application/json" && !strings.HasSuffix(kind, "+json") {
			return nil, 0, fmt.Errorf("%w: served as something that is not JSON", ErrMalformed)
		}
		if len(response.Body) > maxDocument {
			return nil, 0, fmt.Errorf("%w: larger than %d bytes", ErrMalformed, maxDocument)
		}
		document, err := parseDocument(response.Body, id)
		return document, min(max(response.MaxAge, r.cfg.MinTTL), r.cfg.MaxTTL), err
	})
	if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrUnresolvable) { // the caller's own context
		return nil, fmt.Errorf("%w: %w", ErrUnresolvable, err)
	}
	return document, err
}

// withoutURL says what went wrong in the fetcher's words alone: what is below quotes the host, and with the path it may
// name a person.
func withoutURL(err error) error {
	for _, known := range []error{
		context.Canceled, context.DeadlineExceeded, fetch.ErrForbidden, fetch.ErrTooLarge, fetch.ErrStatus, fetch.ErrEncoded, fetch.ErrTimeout, fetch.ErrNetwork,
	} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errors.New("the fetcher says no more")
}
