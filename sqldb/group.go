package sqldb

import (
	"context"

	"outlay"
)

func scanGroup(r row) (g outlay.Group, err error) {
	err = r.Scan(&g.OrgID, &g.ID, &g.Name, when{&g.CreatedAt})
	return g, err
}

// Groups lists the groups by name.
func (t *tx) Groups(ctx context.Context) ([]outlay.Group, error) {
	return list(ctx, t.q, say("reading the groups", `SELECT org_id, id, name, created_at FROM groups WHERE org_id = $1 ORDER BY name, id`, t.org), scanGroup)
}

// PutGroup stores a group.
func (t *tx) PutGroup(ctx context.Context, g outlay.Group) error {
	const put = `INSERT INTO groups (org_id, id, name, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org_id, id) DO UPDATE SET name = excluded.name, created_at = excluded.created_at`
	_, err := run(ctx, t.q, say("storing the group", put, t.org, g.ID, g.Name, micros(g.CreatedAt)))
	return err
}

func scanMembership(r row) (m outlay.Membership, err error) {
	err = r.Scan(&m.OrgID, &m.UserID, &m.GroupID, &m.Role)
	return m, err
}

// Memberships lists who is what.
func (t *tx) Memberships(ctx context.Context, userID string) ([]outlay.Membership, error) {
	const query = `SELECT org_id, user_id, COALESCE(group_id, ''), role FROM memberships
		WHERE org_id = $1 AND ($2 = '' OR user_id = $2) ORDER BY user_id, 3, role`
	return list(ctx, t.q, say("reading the memberships", query, t.org, userID), scanMembership)
}

// PutMembership stores a membership; one that is there already stays.
func (t *tx) PutMembership(ctx context.Context, m outlay.Membership) error {
	const put = `INSERT INTO memberships (org_id, user_id, group_id, role) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
	_, err := run(ctx, t.q, say("storing the membership", put, t.org, m.UserID, optional(m.GroupID), m.Role))
	return err
}

// DeleteMembership takes a role away; one that is not there is no error.
func (t *tx) DeleteMembership(ctx context.Context, m outlay.Membership) error {
	const remove = `DELETE FROM memberships WHERE org_id = $1 AND user_id = $2 AND COALESCE(group_id, '') = $3 AND role = $4`
	_, err := run(ctx, t.q, say("removing the membership", remove, t.org, m.UserID, m.GroupID, m.Role))
	return err
}
