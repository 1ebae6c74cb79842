package linkeddomain

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"regain/internal/strictjson"
	"regain/verifier/jwtvc"
)

const (
	path       = "/.well-known/did-configuration.json" // DIF Well Known DID Configuration, DID Configuration URI
	maxFile    = 256 << 10
	maxEntries = 32
	fileDepth  = 12
)

// configuration fetches the DID Configuration Resource of a host, or takes it from the cache, and returns its
// credentials.
func (v *Verifier) configuration(ctx context.Context, host string) ([]*jwtvc.Credential, error) {
	credentials, err := v.files.Get(ctx, host, func(ctx context.Context) ([]*jwtvc.Credential, time.Duration, error) {
		response, err := v.cfg.Fetch.Get(ctx, "https://"+host+path, "application/json")
		if err != nil {
			return nil, 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if kind := response.MediaType; kind != "application/json" && !strings.HasSuffix(kind, "+json") {
			return nil, 0, errors.New("the media type of the configuration is not JSON")
		}
		credentials, err := readConfiguration(response.Body)
		return credentials, min(max(response.MaxAge, v.cfg.MinTTL), v.cfg.MaxTTL), err
	})
	if ctx.Err() != nil && err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return credentials, err
}

// readConfiguration parses a DID Configuration Resource. It skips an entry that is not a JWT or cannot be parsed:
// entries are independent of each other (DIF Well Known DID Configuration, DID Configuration Resource Verification).
func readConfiguration(raw []byte) ([]*jwtvc.Credential, error) {
	if len(raw) > maxFile {
		return nil, fmt.Errorf("configuration is larger than %d bytes", maxFile)
	}
	object, err := strictjson.Object(raw, fileDepth)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	entries, ok := object["linked_dids"].([]any)
	if !ok || len(entries) > maxEntries {
		return nil, fmt.Errorf("linked_dids is not an array of up to %d", maxEntries)
	}
	var credentials []*jwtvc.Credential
	for _, entry := range entries {
		text, _ := entry.(string)
		if credential, err := jwtvc.ParseCredentialInsecure(text); err == nil {
			credentials = append(credentials, credential)
		}
	}
	return credentials, nil
}
