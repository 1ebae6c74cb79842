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

// address returns the URL of the document of a did:web (did:web Method Specification, Read): /.well-known/did.json of a
// host, or did.json under a path. %3A before a port is the only percent-encoding that is accepted.
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
		// A server may decode "%" and resolve ".." to another path than this one.
		if containsOnly(segment, ".") || strings.Contains(segment, "%") {
			return "", fmt.Errorf("%w: did:web has an ambiguous path", ErrMalformed)
		}
	}
	return "https://" + name + "/" + strings.Join(segments, "/") + "/did.json", nil
}

// hostName reports whether name is a domain name and not an IP address (did:web Method Specification, Method-specific
// identifier).
func hostName(name string) bool {
	for _, label := range strings.Split(name, ".") {
		if label == "" || strings.Trim(label, "-") != label || !containsOnly(label, letters+digits+"-") {
			return false
		}
	}
	return !containsOnly(name[strings.LastIndexByte(name, '.')+1:], digits) // 127.0.0.1 and 127.1 are IP addresses
}

func portNumber(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == text
}

const maxDocument = 64 << 10

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
	if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrUnresolvable) { // ctx ended while waiting
		return nil, fmt.Errorf("%w: %w", ErrUnresolvable, err)
	}
	return document, err
}

// withoutURL returns the fetcher's sentinel in err without the rest of its text, which quotes the URL: the path of a
// did:web may name a person.
func withoutURL(err error) error {
	for _, known := range []error{
		context.Canceled, context.DeadlineExceeded, fetch.ErrForbidden, fetch.ErrTooLarge, fetch.ErrStatus, fetch.ErrEncoded, fetch.ErrTimeout, fetch.ErrNetwork,
	} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errors.New("request failed")
}
