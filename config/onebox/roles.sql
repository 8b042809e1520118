-- The two roles and the database that Regulars needs. Safe to run again.
--
--   psql -f config/onebox/roles.sql "postgresql://ADMIN@HOST/postgres"
--
-- ADMIN may be a superuser or, on a managed server, the administrator it gave you. To use another name
-- for the database, add: -v database=NAME. `manage.py up` and the tests run this same file.
--
--   regulars_owner   owns the tables and changes their shape: DATABASE_OWNER_URL, for `migrate` alone
--   regulars_app     reads and writes rows: DATABASE_URL, for web, worker and beat
--
-- Two roles, because a role that owns a table can always give itself back what was taken from it. The
-- migrations take from regulars_app the right to change or delete ledger rows.
--
-- Set passwords afterwards, or use certificates: \password regulars_owner   \password regulars_app

\if :{?database} \else \set database regulars \endif

-- 1. In the server: the roles, and the database with its owner.

SELECT 'CREATE ROLE regulars_owner LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'regulars_owner')
UNION ALL
SELECT 'CREATE ROLE regulars_app LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'regulars_app')
\gexec

-- An administrator who is no superuser must be a member to give something to the owner.
GRANT regulars_owner TO CURRENT_USER;

SELECT format('CREATE DATABASE %I OWNER regulars_owner', :'database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database')
\gexec

REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"database" TO regulars_app;

\connect :"database"

-- 2. In the database: what needs more than the owner's rights.

CREATE EXTENSION IF NOT EXISTS pg_trgm;      -- search by parts of a name or number
CREATE EXTENSION IF NOT EXISTS btree_gist;   -- periods that must not overlap

ALTER SCHEMA public OWNER TO regulars_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO regulars_app;   -- and not CREATE

-- 3. As the owner: whatever it makes from now on, the application may use. It may not TRUNCATE.

SET ROLE regulars_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE regulars_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO regulars_app;
ALTER DEFAULT PRIVILEGES FOR ROLE regulars_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO regulars_app;
ALTER DEFAULT PRIVILEGES FOR ROLE regulars_owner IN SCHEMA public
    GRANT EXECUTE ON FUNCTIONS TO regulars_app;
RESET ROLE;
