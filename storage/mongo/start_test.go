package mongo_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"regain/storage"
	"regain/storage/mongo"
	"regain/storage/mongo/mongotest"
)

// primary is what a primary says of itself.
func primary(set string) bson.D {
	return bson.D{{Key: "isWritablePrimary", Value: true}, {Key: "ismaster", Value: true}, {Key: "setName", Value: set}}
}

// certified is TLS for a name, under a certificate that signs itself, and the file that has that.
func certified(t *testing.T, name string, until time.Time) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, DNSNames: []string{name}, IPAddresses: []net.IP{},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	file := filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, file
}

// What waiting cannot cure is told apart from what it can, with host, cause and cure, and never with the password.
func TestWhatWaitingCures(t *testing.T) {
	const user = "mongodb://regain:hunter2@"
	trusted, ca := certified(t, "127.0.0.1", time.Now().Add(time.Hour))
	expired, old := certified(t, "127.0.0.1", time.Now().Add(-time.Hour))
	elsewhere, other := certified(t, "db.example.org", time.Now().Add(time.Hour))
	nobody := "127.0.0.1:1"
	unready := bson.D{{Key: "ismaster", Value: false}, {Key: "isreplicaset", Value: true}}
	refusal := func(code int, name string) map[string]bson.D {
		return map[string]bson.D{"saslStart": answer(code, name)}
	}
	for name, row := range map[string]struct {
		uri   string
		cures bool
		says  []string
	}{
		"nobody there":      {user + nobody + "/?authSource=admin", true, []string{nobody, "connection refused", "whether the database runs"}},
		"no such host":      {user + "db.invalid/", true, []string{"db.invalid", "lookup"}},
		"no such seed list": {"mongodb+srv://regain:hunter2@db.invalid/", true, []string{"look up the hosts", "db.invalid", "check the host of the URI"}},
		"wrong password": {user + speaks(t, nil, primary(""), refusal(18, "AuthenticationFailed")) + "/?authMechanism=SCRAM-SHA-256&directConnection=true", false,
			[]string{"AuthenticationFailed", "check user, password and authSource"}},
		"users of Atlas": {user + speaks(t, nil, primary(""), refusal(8000, "AtlasError")) + "/?authMechanism=SCRAM-SHA-256&directConnection=true", false,
			[]string{"AtlasError", "check user, password and authSource"}},
		"another replica set": {user + speaks(t, nil, primary("rs1"), nil) + "/?replicaSet=rs0", false, []string{"127.0.0.1:", `belongs to the replica set "rs1"`, "replicaSet=rs0", "correct the name"}},
		"no replica set":      {user + speaks(t, nil, bson.D{{Key: "ismaster", Value: true}}, nil) + "/?replicaSet=rs0", false, []string{"belongs to no replica set", "--replSet rs0"}},
		"a router":            {user + speaks(t, nil, bson.D{{Key: "ismaster", Value: true}, {Key: "msg", Value: "isdbgrid"}}, nil) + "/?replicaSet=rs0", false, []string{"router of a sharded cluster"}},
		"not initiated":       {user + speaks(t, nil, unready, nil) + "/?replicaSet=rs0", true, []string{"no primary answers"}},
		"another and nobody":  {user + speaks(t, nil, primary("rs1"), nil) + "," + nobody + "/?replicaSet=rs0", true, []string{"no primary answers", "connection refused", `the replica set "rs1"`}},
		"an old server":       {user + speaks(t, nil, nil, map[string]bson.D{"isMaster": ancient(), "hello": ancient()}) + "/", false, []string{"wire version 7", "MongoDB 4.4 or later"}},
		"a stranger's CA":     {user + speaks(t, trusted, primary(""), nil) + "/?tls=true&directConnection=true", false, []string{"127.0.0.1:", "unknown authority", "tlsCAFile"}},
		"another's name":      {user + speaks(t, elsewhere, primary(""), nil) + "/?tls=true&directConnection=true&tlsCAFile=" + other, false, []string{"127.0.0.1:", "as in its certificate"}},
		"an old certificate":  {user + speaks(t, expired, primary(""), nil) + "/?tls=true&directConnection=true&tlsCAFile=" + old, true, []string{"127.0.0.1:", "has expired"}},
		"without TLS":         {user + speaks(t, nil, primary(""), nil) + "/?tls=true&directConnection=true&tlsCAFile=" + ca, true, []string{"no primary answers"}},
		"TLS only":            {user + speaks(t, trusted, primary(""), nil) + "/?directConnection=true", true, []string{"no primary answers", "tls of the URI"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			try := func(timeout time.Duration) (problems []string) {
				cfg := config(row.uri)
				cfg.Timeout = timeout
				for what, problem := range map[string]error{"open": opens(t, cfg), "inspect": mongo.Inspect(t.Context(), cfg)} {
					if cures := errors.Is(problem, storage.ErrUnavailable); problem == nil || cures != row.cures {
						problems = append(problems, fmt.Sprintf("%s: %v: waiting cures it %t, want %t", what, problem, cures, row.cures))
					}
					for _, says := range row.says {
						if problem != nil && !strings.Contains(problem.Error(), says) {
							problems = append(problems, fmt.Sprintf("%s: got %v, want it to say %q", what, problem, says))
						}
					}
					if problem != nil && strings.Contains(problem.Error(), "hunter2") {
						t.Errorf("%s: the password is shown: %v", what, problem)
					}
				}
				return problems
			}
			// What is a mistake is told as soon as it is known. What is none takes the whole time, and on a busy machine nothing
			// may have been heard of a host within a second.
			if !row.cures {
				began := time.Now()
				for _, problem := range try(time.Minute) {
					t.Error(problem)
				}
				if took := time.Since(began); took > 30*time.Second {
					t.Errorf("it took %s", took)
				}
			} else if len(try(time.Second)) > 0 {
				for _, problem := range try(patient) {
					t.Error(problem)
				}
			}
		})
	}
}

// ancient is what MongoDB 4.0 says of itself.
func ancient() bson.D {
	return bson.D{{Key: "ok", Value: 1.0}, {Key: "ismaster", Value: true}, {Key: "minWireVersion", Value: 0}, {Key: "maxWireVersion", Value: 7}}
}

func opens(t *testing.T, cfg mongo.Config) error {
	t.Helper()
	s, err := mongo.Open(t.Context(), cfg, time.Now)
	if err == nil {
		must(t, s.Close())
	}
	return err
}

// What the database says while a node prepares its schema.
func TestPreparationsThatFail(t *testing.T) {
	for name, row := range map[string]struct {
		command string
		answer  bson.D
		cures   bool
		says    string
	}{
		"nobody":                {"find", answer(13, "Unauthorized"), false, "name a user in the URI who has the role readWrite"},
		"an election":           {"insert", answer(10107, "NotWritablePrimary"), true, "NotWritablePrimary"},
		"a server that stops":   {"insert", answer(91, "ShutdownInProgress"), true, "ShutdownInProgress"},
		"a full disk":           {"insert", answer(14031, "OutOfDiskSpace"), true, "OutOfDiskSpace"},
		"a user who only reads": {"insert", answer(13, "Unauthorized"), false, "role readWrite"},
	} {
		t.Run(name, func(t *testing.T) {
			f := breakable(t, time.Second)
			f.proxy.Inject(mongotest.Fault{Command: row.command, Do: mongotest.Answered, Answer: row.answer, Times: 9})
			cfg := config(f.proxy.URI)
			cfg.Timeout = time.Second
			err := opens(t, cfg)
			if cures := errors.Is(err, storage.ErrUnavailable); err == nil || cures != row.cures || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v: waiting cures it %t, want %t and %q", err, cures, row.cures, row.says)
			}
			f.proxy.Forget()
			if must(t, opens(t, cfg)); f.proxy.Seen(row.command) < 2 {
				t.Error("nothing was prepared")
			}
			must(t, own(t).Drop(t.Context(), cfg.Database))
		})
	}
}

// A node may start over a newer schema that only adds to what it knows, and not over one that needs a newer program.
func TestSchemasOfOtherVersions(t *testing.T) {
	cfg := config(server(t).URI)
	s := open(t, cfg, time.Now)
	defer s.Close()
	set := func(changes bson.D) {
		t.Helper()
		_, err := s.Collection("schema").UpdateByID(t.Context(), "schema", bson.D{{Key: "$set", Value: changes}})
		must(t, err)
	}
	for needs, want := range map[int]string{0: "has version 2, and this program knows 1: start the newer program", 2: "this program knows 1", 1: ""} {
		set(bson.D{{Key: "version", Value: 2}, {Key: "needs", Value: needs}})
		for what, err := range map[string]error{"open": opens(t, cfg), "inspect": mongo.Inspect(t.Context(), cfg)} {
			switch {
			case want == "" && err != nil:
				t.Errorf("%s: a schema that version 1 may use: %v", what, err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, storage.ErrUnavailable)):
				t.Errorf("%s: needs %d: got %v, want it to say %q for good", what, needs, err, want)
			}
		}
	}
}

// A check asks what the user may do, and does nothing of it.
func TestInspectAsksForTheRole(t *testing.T) {
	privilege := func(database string, actions ...string) bson.D {
		return bson.D{{Key: "resource", Value: bson.D{{Key: "db", Value: database}, {Key: "collection", Value: ""}}}, {Key: "actions", Value: actions}}
	}
	all := []string{"find", "insert", "update", "createIndex", "listIndexes"}
	user := bson.A{bson.D{{Key: "user", Value: "regain"}, {Key: "db", Value: "admin"}}}
	for name, row := range map[string]struct {
		users, privileges bson.A
		says              string
	}{
		"may all":              {user, bson.A{privilege("regain", all...)}, ""},
		"may all everywhere":   {user, bson.A{privilege("", all...)}, ""},
		"may by two roles":     {user, bson.A{privilege("regain", all[:2]...), privilege("", all[2:]...)}, ""},
		"any resource":         {user, bson.A{bson.D{{Key: "resource", Value: bson.D{{Key: "anyResource", Value: true}}}, {Key: "actions", Value: all}}}, ""},
		"a server of no users": {bson.A{}, bson.A{}, ""},
		"only reads":           {user, bson.A{privilege("regain", "find", "listIndexes")}, "the user may not insert, update, createIndex on database regain: grant the role readWrite"},
		"of another database":  {user, bson.A{privilege("other", all...)}, "may not find, insert"},
	} {
		t.Run(name, func(t *testing.T) {
			status := bson.D{{Key: "ok", Value: 1.0}, {Key: "authInfo", Value: bson.D{{Key: "authenticatedUsers", Value: row.users}, {Key: "authenticatedUserPrivileges", Value: row.privileges}}}}
			none := bson.D{{Key: "ok", Value: 1.0}, {Key: "cursor", Value: bson.D{{Key: "id", Value: int64(0)}, {Key: "ns", Value: "regain.schema"}, {Key: "firstBatch", Value: bson.A{}}}}}
			address := speaks(t, nil, primary(""), map[string]bson.D{"connectionStatus": status, "find": none})
			cfg := mongo.Config{URI: mongo.URI("mongodb://" + address + "/?directConnection=true"), Database: "regain", Timeout: time.Second}
			err := mongo.Inspect(t.Context(), cfg)
			if row.says == "" && err != nil || row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says) || errors.Is(err, storage.ErrUnavailable)) {
				t.Errorf("got %v, want %q", err, row.says)
			}
		})
	}
}
