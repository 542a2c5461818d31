-- +goose Up
-- Which worker keeps a tenant's timeline in the CRM up to date, and until when.
CREATE TABLE timeline_leases (
  tenant_id   text PRIMARY KEY REFERENCES tenants (id),
  lease_owner text NOT NULL,
  lease_until timestamptz NOT NULL
);

-- +goose Down
DROP TABLE timeline_leases;
