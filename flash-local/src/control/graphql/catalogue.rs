//! Whether hardware is to be had. Here it always is.

use async_graphql::{InputObject, Object, SimpleObject};
use flash_core::manifest::Catalogue;

use crate::control::rest::{manufacturer_of, memory_of};

/// A GPU type, and the pool that it is in.
pub(super) struct GpuType {
    id: String,
    pool: String,
}

/// A price, and how much there is. Here nothing costs anything, so the prices are null.
#[derive(SimpleObject)]
pub(super) struct LowestPrice {
    stock_status: String,
    minimum_bid_price: Option<f64>,
    uninterruptable_price: Option<f64>,
}

/// Which types.
#[derive(InputObject)]
pub(super) struct GpuTypeFilter {
    pub(super) ids: Option<Vec<String>>,
    pub(super) id: Option<String>,
}

/// What a price is asked for.
#[derive(InputObject)]
pub(super) struct GpuLowestPriceInput {
    #[graphql(name = "dataCenterId")]
    _data_center_id: Option<String>,
    #[graphql(name = "gpuCount")]
    _gpu_count: Option<u32>,
    #[graphql(name = "secureCloud")]
    _secure_cloud: Option<bool>,
    #[graphql(name = "includeAiApi")]
    _include_ai_api: Option<bool>,
    #[graphql(name = "allowedCudaVersions")]
    _allowed_cuda_versions: Option<Vec<String>>,
    #[graphql(name = "compliance")]
    _compliance: Option<Vec<String>>,
}

/// A CPU flavour.
pub(super) struct CpuFlavor(pub(super) String);

/// Which flavour.
#[derive(InputObject)]
pub(super) struct CpuFlavorInput {
    pub(super) id: Option<String>,
}

/// What of it.
#[derive(InputObject)]
pub(super) struct SpecificsInput {
    #[graphql(name = "dataCenterId")]
    _data_center_id: Option<String>,
    #[graphql(name = "instanceId")]
    _instance_id: Option<String>,
}

/// A machine of a flavour.
#[derive(SimpleObject)]
pub(super) struct Specifics {
    stock_status: String,
}

#[Object]
impl GpuType {
    async fn id(&self) -> &str {
        &self.id
    }

    async fn display_name(&self) -> &str {
        &self.id
    }

    async fn manufacturer(&self) -> &str {
        manufacturer_of(&self.id)
    }

    async fn memory_in_gb(&self) -> u32 {
        memory_of(&self.pool)
    }

    async fn max_gpu_count(&self) -> u32 {
        8
    }

    async fn cuda_cores(&self) -> Option<u32> {
        None
    }

    async fn secure_cloud(&self) -> bool {
        true
    }

    async fn community_cloud(&self) -> bool {
        false
    }

    async fn secure_price(&self) -> Option<f64> {
        None
    }

    async fn community_price(&self) -> Option<f64> {
        None
    }

    async fn one_month_price(&self) -> Option<f64> {
        None
    }

    async fn three_month_price(&self) -> Option<f64> {
        None
    }

    async fn one_week_price(&self) -> Option<f64> {
        None
    }

    async fn community_spot_price(&self) -> Option<f64> {
        None
    }

    async fn secure_spot_price(&self) -> Option<f64> {
        None
    }

    async fn lowest_price(
        &self,
        #[graphql(name = "input")] _input: Option<GpuLowestPriceInput>,
    ) -> LowestPrice {
        let stock_status = "High".to_owned();
        LowestPrice { stock_status, minimum_bid_price: None, uninterruptable_price: None }
    }
}

#[Object]
impl CpuFlavor {
    async fn id(&self) -> &str {
        &self.0
    }

    async fn specifics(&self, #[graphql(name = "input")] _input: Option<SpecificsInput>) -> Specifics {
        Specifics { stock_status: "High".to_owned() }
    }
}

pub(super) fn gpu_types(filter: Option<GpuTypeFilter>) -> Vec<GpuType> {
    let wanted: Vec<String> = filter
        .into_iter()
        .flat_map(|filter| filter.ids.unwrap_or_default().into_iter().chain(filter.id))
        .collect();
    let pools = Catalogue::bundled().gpu_pools.iter();
    let all = pools.flat_map(|pool| pool.types.iter().chain([&pool.id]).map(|id| (id, &pool.id)));
    let wanted = all.filter(|(id, _)| wanted.is_empty() || wanted.contains(id));
    wanted.map(|(id, pool)| GpuType { id: id.clone(), pool: pool.clone() }).collect()
}

pub(super) fn cpu_flavors(input: Option<CpuFlavorInput>) -> Vec<CpuFlavor> {
    let wanted = input.and_then(|input| input.id);
    let mut all: Vec<&str> =
        Catalogue::bundled().cpu_instances.iter().filter_map(|id| id.split('-').next()).collect();
    all.dedup();
    let fits = |id: &&str| wanted.as_ref().is_none_or(|wanted| wanted == id);
    all.into_iter().filter(fits).map(|id| CpuFlavor(id.to_owned())).collect()
}
