-- +goose Up
-- Audits are paged by their ids, which sort by time, and deleted by their age.
DROP INDEX audits_tenant;
CREATE INDEX audits_tenant ON audits (tenant_id, id DESC);
CREATE INDEX audits_age ON audits (created_at);

-- +goose Down
DROP INDEX audits_age;
DROP INDEX audits_tenant;
CREATE INDEX audits_tenant ON audits (tenant_id, created_at DESC);
