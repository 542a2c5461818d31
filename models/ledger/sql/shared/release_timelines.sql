DELETE FROM timeline_leases WHERE lease_owner = @owner
