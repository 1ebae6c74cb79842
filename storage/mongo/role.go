package mongo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// checkRole refuses a user who may not do what the store does, without doing it: a check writes nothing. It asks the server
// what the user may do (command connectionStatus with showPrivileges). A server without users says nothing of it, and one that
// does not know the command is taken at its first write.
func (s *Store) checkRole(ctx context.Context) error {
	var answer struct {
		Info struct {
			Users      []bson.M `bson:"authenticatedUsers"`
			Privileges []struct {
				Resource struct {
					DB         *string `bson:"db"`
					Collection *string `bson:"collection"`
					Any        bool    `bson:"anyResource"`
				} `bson:"resource"`
				Actions []string `bson:"actions"`
			} `bson:"authenticatedUserPrivileges"`
		} `bson:"authInfo"`
	}
	err := s.database.RunCommand(ctx, bson.D{{Key: "connectionStatus", Value: 1}, {Key: "showPrivileges", Value: true}}).Decode(&answer)
	if err != nil || len(answer.Info.Users) == 0 || len(answer.Info.Privileges) == 0 {
		return nil //nolint:nilerr // it is no answer of the database's that the store needs
	}
	missing := []string{"find", "insert", "update", "createIndex", "listIndexes"}
	for _, p := range answer.Info.Privileges {
		// "" is every database, and every collection; privileges on single collections are not what the docs ask for.
		database, collection := p.Resource.DB, p.Resource.Collection
		everywhere := database != nil && (*database == "" || *database == s.database.Name()) && collection != nil && *collection == ""
		if everywhere || p.Resource.Any {
			missing = slices.DeleteFunc(missing, func(action string) bool { return slices.Contains(p.Actions, action) })
		}
	}
	if len(missing) > 0 {
		return mistake{fmt.Errorf("the user may not %s on database %s: grant the role readWrite on it", strings.Join(missing, ", "), s.database.Name())}
	}
	return nil
}
