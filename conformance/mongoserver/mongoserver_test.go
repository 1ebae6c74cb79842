package mongoserver_test

import (
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"regain/conformance/mongoserver"
)

// A run on somebody's server leaves nothing there, and takes nothing else away.
func TestADatabaseOfItsOwn(t *testing.T) {
	server, err := mongoserver.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	client, err := mongo.Connect(options.Client().ApplyURI(server.URI))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Disconnect(t.Context())
	mine, err := mongoserver.Open(server.URI)
	if err != nil {
		t.Fatal(err)
	}
	if mine.InMemory() {
		t.Error("somebody else's server is said to be in memory")
	}
	for _, name := range []string{mine.Name, "theirs"} {
		if _, err := client.Database(name).Collection("c").InsertOne(t.Context(), bson.D{{Key: "_id", Value: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := mine.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := client.ListDatabaseNames(t.Context(), bson.D{})
	if err != nil || len(left) != 1 || left[0] != "theirs" {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestAServerForARun(t *testing.T) {
	d, err := mongoserver.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if !d.InMemory() || !strings.HasPrefix(d.URI, "mongodb://127.0.0.1:") {
		t.Errorf("URI %q, in memory: %t", d.URI, d.InMemory())
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}
