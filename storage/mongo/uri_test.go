package mongo_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"regain/storage/mongo"
)

// A URI does not show itself, however it is printed.
func TestAURIHidesItself(t *testing.T) {
	cfg := mongo.Config{URI: "mongodb://regain:hunter2@db/", Database: "d"}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "uri", cfg.URI, "cfg", cfg)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "uri", cfg.URI, "cfg", cfg)
	encoded, err := json.Marshal(cfg)
	must(t, err)
	for _, shown := range []string{fmt.Sprintf("%v %+v %#v %s %q", cfg, cfg, cfg, cfg.URI, cfg.URI), logged.String(), string(encoded), fmt.Sprintf("%x", cfg.URI)} {
		if strings.Contains(shown, "hunter2") || strings.Contains(shown, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("shown: %s", shown)
		}
	}
}

// Whatever the driver quotes, no message has a secret of the URI.
func TestErrorsAreScrubbed(t *testing.T) {
	for uri, secrets := range map[mongo.URI][]string{
		"mongodb://regain:hunter2@db/":                                    {"hunter2", "regain:hunter2"},
		"mongodb://regain:hunter%402@db/x?tls=true":                       {"hunter@2", "hunter%402"},
		"mongodb://regain:a@b@db/":                                        {"a@b"},
		"mongodb://db/?tls=true&tlsCertificateKeyFilePassword=hunter2":    {"hunter2"},
		"mongodb://db/?authMechanismProperties=AWS_SESSION_TOKEN:hunter2": {"hunter2"},
		"mongodb+srv://regain:hunter2@db/?retryWrites=true":               {"hunter2"},
		"hunter2": {"hunter2"},
	} {
		for _, secret := range append(secrets, string(uri)) {
			err := uri.Scrub(errors.New("dial " + secret + ": refused"))
			if got := err.Error(); strings.Contains(got, secret) || !strings.Contains(got, ": refused") {
				t.Errorf("%s: %s is left of %s", string(uri), got, secret)
			}
		}
	}
	if mongo.URI("mongodb://db/").Scrub(nil) != nil {
		t.Error("made an error of none")
	}
}

// What is no URI is refused, with its cause where the cause cannot quote a secret.
func TestURIsAreChecked(t *testing.T) {
	for uri, says := range map[mongo.URI]string{
		"":                               "is no MongoDB URI",
		"hunter2":                        "is no MongoDB URI",
		"https://regain:hunter2@db/":     "is no MongoDB URI",
		"mongodb://regain:hunter2@":      "is no MongoDB URI",
		"mongodb://regain:hunter2/x@db/": "%2F",
		"mongodb://regain:hunter2/@@db/": "%40",
		"mongodb://regain:hunter2@db/?replicaset":                       "invalid option",
		"mongodb://regain:hunter2@db:port/":                             "port",
		"mongodb://regain:hunter2@db/?authMechanism=hunter":             "mechanism",
		"mongodb://regain:hunter%2@db/":                                 "is no MongoDB URI",
		"mongodb://db/?tls=maybe":                                       "tls",
		"mongodb://regain:hunter2@db/?j=true&W=0":                       "option W",
		"mongodb://regain:hunter2@db/?tlsAllowInvalidCertificates=true": "tlsCAFile",
		"mongodb://regain:hunter2@db/?maxPoolSize=1000":                 "use storage.mongo.max_connections",
	} {
		err := uri.Check()
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want it to say %q", string(uri), err, says)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: shown: %v", string(uri), err)
		}
		if _, err := mongo.Open(t.Context(), mongo.Config{URI: uri, Database: "d", Timeout: time.Second}, time.Now); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: opened, or shown: %v", string(uri), err)
		}
	}
	for _, uri := range []mongo.URI{"mongodb://db/", "mongodb://regain:p%40@db1,db2:27018/?replicaSet=rs0&authSource=regain&tls=true"} {
		if err := uri.Check(); err != nil {
			t.Errorf("%s: %v", string(uri), err)
		}
	}
}

func TestOpenRefusesMissingParts(t *testing.T) {
	for _, row := range []struct {
		cfg mongo.Config
		now func() time.Time
	}{{mongo.Config{URI: "mongodb://db/", Database: "d"}, nil}, {mongo.Config{URI: "mongodb://db/"}, time.Now}} {
		if _, err := mongo.Open(t.Context(), row.cfg, row.now); err == nil {
			t.Error("a store without its parts was made")
		}
	}
}
